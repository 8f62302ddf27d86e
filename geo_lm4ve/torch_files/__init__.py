"""Files of ``torch.save`` from strangers: looked through before anything in them is done."""

from geo_lm4ve.torch_files.archive import LOCAL_HEADER, TorchArchive, torch_archive
from geo_lm4ve.torch_files.load import is_zip, load_torch
from geo_lm4ve.torch_files.values import ForeignObjectError, TensorRef

__all__ = ["LOCAL_HEADER", "ForeignObjectError", "TensorRef", "TorchArchive", "is_zip", "load_torch", "torch_archive"]
