"""Which file of the hook sees to which modules. Run by ``sitecustomize`` at its start."""

WATCHED = {
    "_prov_cli": (
        "absl.flags._flagvalues click.core docopt fire.core typer._click.core tyro._calling"
    ),
    "_prov_config": (
        "hydra.compose hydra.core.utils jsonargparse._core jsonargparse.core omegaconf.omegaconf"
    ),
    "_prov_kernel": "ipykernel.ipkernel",
    "_prov_papermill": "papermill.execute",
    "_prov_fits": (
        "catboost.core keras.engine.training keras.src.backend.jax.trainer "
        "keras.src.backend.numpy.trainer keras.src.backend.openvino.trainer "
        "keras.src.backend.tensorflow.trainer keras.src.backend.torch.trainer "
        "keras.src.engine.training lightgbm.callback lightgbm.engine sklearn.base "
        "sklearn.datasets._samples_generator sklearn.inspection._permutation_importance "
        "sklearn.model_selection._split sklearn.model_selection._validation "
        "statsmodels.base.model tensorflow.python.keras.engine.training xgboost.callback "
        "xgboost.training"
    ),
    "_prov_parser": "argparse",
    "_prov_process": (
        "multiprocessing.popen_fork multiprocessing.process subprocess "
        "torch.distributed.distributed_c10d torch.multiprocessing.spawn"
    ),
    "_prov_seeds": (
        "accelerate.utils.random cupy.random._generator jax._src.random jax._src.random.core "
        "keras.src.utils.rng_utils lightning.fabric.utilities.seed lightning_fabric.utilities.seed "
        "mxnet.random numpy.random._generator numpy.random.mtrand paddle.framework.random random "
        "scipy._lib._util sklearn.utils.validation tensorflow.python.framework.random_seed "
        "torch.cuda.random torch.random transformers.trainer_utils"
    ),
    "_prov_supply": "provenance",
    "_prov_trainers": (
        "lightning.pytorch.core.mixins.hparams_mixin lightning.pytorch.trainer.trainer "
        "pytorch_lightning.core.mixins.hparams_mixin pytorch_lightning.trainer.trainer "
        "transformers.trainer transformers.training_args transformers.training_args_seq2seq"
    ),
    "_prov_remote": (
        "urllib.request requests.sessions httpx._client httpx2._client fsspec.spec torch.hub "
        "botocore.client keras.src.utils.file_utils datasets.load sklearn.datasets"
    ),
    "_prov_shims": (
        "_duckdb av catboost ctranslate2 cv2 decord duckdb faiss fastparquet fasttext flax h5py "
        "keras kenlm lightgbm llama_cpp lmdb netCDF4 onnxruntime orbax polars pyarrow safetensors "
        "sentencepiece soundfile tables tensorflow tensorstore tokenizers torch torchaudio "
        "torchvision xgboost"
    ),
    "_prov_models_torch": (
        "torch.optim torch.utils.data.dataloader torch.amp.grad_scaler torch.nn.init "
        "torch.nn.modules.module torch.nn.utils.clip_grad"
    ),
    "_prov_models_keras": (
        "keras.src.trainers.trainer keras.src.backend.tensorflow.trainer "
        "keras.src.backend.torch.trainer keras.src.backend.jax.trainer "
        "keras.src.backend.numpy.trainer keras.src.engine.training tf_keras.src.engine.training"
    ),
    "_prov_models_jax": (
        "optax._src.alias optax._src.clipping optax._src.schedule optax._src.transform "
        "optax.schedules._schedule optax.transforms._adding optax.transforms._clipping "
        "flax.linen.module flax.nnx.training.optimizer flax.training.train_state"
    ),
}
"""Files beside this one, and the modules of which each replaces functions (its ``patch(name,
module)``) once the program has imported them. One with a ``leave()`` is asked at the end, too."""
