cat > /tmp/dev/H5/r.py <<'E'
import os,sys
from provenance.specs import formats
from provenance.specs.model import Source
from provenance.operations.stated_cuda import compare_cuda
root="/work/shared/corpus"
for repo in sorted(os.listdir(root)):
    facts=[]
    for d,_,fs in os.walk(os.path.join(root,repo)):
        for f in fs:
            p=os.path.join(d,f); data=open(p,'rb').read()
            if formats.module_of(f,data[:4096]): facts+=formats.read(Source(os.path.relpath(p,root),data)).facts
    c=compare_cuda(facts,["/root/.cache/uv/archive-v0/w_Frxq54Q45thhqJ"],dict(os.environ))
    if c.total or c.not_compared: print(repo[:40],c.equal,c.total,[(d.name,d.old,d.new,d.text) for d in c.differences][:2],[(n.what,n.reason) for n in c.not_compared][:2])
E
$B/python /tmp/dev/H5/r.py
