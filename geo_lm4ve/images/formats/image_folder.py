"""One's own images: folders of classes, or a table, in a folder or an archive."""

from __future__ import annotations

from dataclasses import dataclass

from geo_lm4ve.config import register
from geo_lm4ve.images.data_config import ImageConfig
from geo_lm4ve.images.formats.class_folders import by_folders
from geo_lm4ve.images.formats.table import TABLE, by_table
from geo_lm4ve.images.pictures import PictureSet
from geo_lm4ve.images.stores.opened import open_store


@register("data", "image_folder")
@dataclass
class ImageFolderConfig(ImageConfig):
    """Images in ``{train,val,test}/CLASS/…``, ``CLASS/…``, or as a table lists them (``datasets/image_folder``).

    Attributes:
        table: csv with the columns file, label and perhaps split: a name below ``root`` or a path; "": ``labels.csv``
            where ``root`` has one.
        masks: suffix of masks beside the images: with ``.png`` that of ``a/1.jpg`` is ``a/1.png``; "": there are none.
    """

    name: str = "image_folder"
    table: str = ""
    masks: str = ""

    @property
    def advice(self) -> str:
        """See ImageConfig.advice."""
        return "set data.root to a folder, zip or tar of images (datasets/image_folder)"

    def pictures(self) -> PictureSet:
        """See ImageConfig.pictures."""
        store = open_store(self.folder, self.advice)
        listed = by_table(store, self.table) if self.table or TABLE in store.names() else by_folders(store, self.masks)
        return listed.pictures(store, self.masks)

    @property
    def beside(self) -> str:
        """See ImageConfig.beside."""
        return self.masks
