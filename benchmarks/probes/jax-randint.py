# python: 3.11
# old: jax==0.7.1 jaxlib==0.7.1
# new: jax==0.7.2 jaxlib==0.7.2
import sys

import jax

restored = "restored" in sys.argv
if restored:
    jax.config.update("jax_safer_randint", False)
print(jax.random.randint(jax.random.key(0), (4,), 0, 1000, dtype="int16").tolist())
