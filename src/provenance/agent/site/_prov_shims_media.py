"""Readers and writers of images, video and sound, and what PyTorch opens by itself.

Run by ``sitecustomize``; see `_prov_shims`, which also explains the lines below.
"""

load = globals()["load"]
_shims = load("_prov_shims")

TABLE = {
    "cv2": """
        imread 0 filename read
        imreadmulti 0 filename read
        imcount 0 filename read
        imwrite 0 filename write
        imwritemulti 0 filename write
        VideoCapture.__init__ 1 filename read
        VideoCapture.open 1 filename read
        VideoWriter.__init__ 1 filename write
        VideoWriter.open 1 filename write
        CascadeClassifier.__init__ 1 filename read
        CascadeClassifier.load 1 filename read
        dnn.readNet 0 model read
        dnn.readNetFromONNX 0 onnxFile read
        dnn.readNetFromTensorflow 0 model read
        dnn.readNetFromCaffe 1 caffeModel read
    """,
    "soundfile": "SoundFile.__init__ 1 file mode",
    "torchaudio._torchcodec": "load_with_torchcodec 0 uri read",
    "torchvision.io.image": """
        read_file 0 path read
        read_image 0 path read
        decode_image 0 input read
        write_file 0 filename write
    """,
    "torchvision.io.video": "read_video 0 filename read",
    "decord.video_reader": "VideoReader.__init__ 1 uri read",
    "av.container.core": "open 0 file mode",
    "torch.serialization": "save 1 f write",
    "torch.jit._serialization": """
        load 0 f read
        save 1 f write
        jit_module_from_flatbuffer 0 f read
        save_jit_module_to_flatbuffer 1 f write
    """,
    "torch.jit._script": "RecursiveScriptModule.save 1 f write",
    "torch": "from_file 0 filename either",
    "torch.storage": """
        UntypedStorage.from_file 0 filename either
        TypedStorage.from_file 0 filename either
    """,
    "torch.export": """
        save 1 f write
        load 0 f read
    """,
    "torch.export.pt2_archive._package": """
        PT2ArchiveWriter.__init__ 1 archive_path_or_buffer write
        PT2ArchiveReader.__init__ 1 archive_path_or_buffer read
    """,
}
"""Module to its functions."""


def patch(name, module):
    """Replace what is known of ``module``, which has just been imported."""
    if name == "cv2":
        _storage(module)
    _shims["install"](TABLE, name, module)


def _storage(module):
    """``cv2.FileStorage(name, flags)``: the flags tell reading (0) from writing."""

    def around(original, *args, **kwargs):
        try:
            name = args[1] if len(args) > 1 else kwargs.get("filename")
            flags = args[2] if len(args) > 2 else kwargs.get("flags", 0)
            if name is not None and not flags & 4:  # in memory
                _shims["note"](name, _shims["flags"]("rwa"[flags & 3]))
        except Exception:
            pass
        return original(*args, **kwargs)

    kind = getattr(module, "FileStorage", None)
    for name in ("__init__", "open"):
        try:
            _shims["wrap"](kind, name, around)
        except (TypeError, AttributeError):
            continue
