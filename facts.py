import os,collections
from provenance.specs import formats
from provenance.specs.model import Source
root="/work/shared/corpus"
for d,_,fs in os.walk(root):
    for f in fs:
        p=os.path.join(d,f)
        try: data=open(p,'rb').read()
        except OSError: continue
        if len(data)>5e6 or not formats.module_of(f,data[:4096]): continue
        s=formats.read(Source(os.path.relpath(p,root),data))
        for x in s.facts:
            if x.kind in("cuda","platform","data") or "cu1" in x.version or x.name.startswith("nvidia"):
                print(s.format,'|',x.kind,x.name,x.exactness,x.version,x.specifier,x.ecosystem,x.where[-50:],x.digest[:30],x.url[:40])
