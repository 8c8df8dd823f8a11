# python: 3.9
# old: networkx==2.6.3 numpy==1.22.4
# new: networkx==2.7 numpy==1.22.4
import sys

import networkx as nx

restored = "restored" in sys.argv
graph = nx.connected_watts_strogatz_graph(30, 4, 0.5, seed=1)
kw = {"niter": 1} if restored else {}
print(sorted(nx.lattice_reference(graph, seed=1, **kw).edges)[:12])
