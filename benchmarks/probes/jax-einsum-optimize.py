# python: 3.11
# old: jax==0.4.38 jaxlib==0.4.38
# new: jax==0.5.0 jaxlib==0.5.0
import inspect

import jax.numpy as jnp

print(inspect.signature(jnp.einsum).parameters["optimize"].default)
