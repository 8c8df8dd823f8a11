# python: 3.10
# old: jax==0.4.30 jaxlib==0.4.30 numpy==1.26.4 optax==0.1.8
# new: jax==0.4.30 jaxlib==0.4.30 numpy==1.26.4 optax==0.1.9
import inspect

import optax.contrib

print(inspect.signature(optax.contrib.prodigy).parameters["learning_rate"].default)
