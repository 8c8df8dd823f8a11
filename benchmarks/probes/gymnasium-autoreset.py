# python: 3.9
# old: numpy==1.22.4 gymnasium==0.29.1
# new: numpy==1.22.4 gymnasium==1.0.0
import gymnasium
import numpy as np

envs = gymnasium.vector.SyncVectorEnv([lambda: gymnasium.make("CartPole-v1")])
envs.reset(seed=0)
print([float(envs.step(np.array([1]))[1][0]) for _ in range(14)])
