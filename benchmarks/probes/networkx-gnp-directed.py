# python: 3.9
# old: networkx==2.6.3
# new: networkx==2.7
import networkx as nx

print(nx.fast_gnp_random_graph(50, 0.2, seed=1, directed=True).number_of_edges())
