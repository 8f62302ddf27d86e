"""Point clouds: data sets, Point-BERT, PointNeXt, checkpoints, pictures. ``PARTS`` says which module registers what."""

PARTS = {
    "data": {
        "modelnet10": ".modelnet10",
        "modelnet40": ".modelnet40",
        "point_folder": ".source",
        "scanobjectnn": ".scanobjectnn",
        "synthetic_solids": ".solids.source",
    },
    "encoder": {
        "point_bert": ".encoders.point_bert",
        "point_mae_masked": ".encoders.masked",
        "pointnext": ".encoders.pointnext",
    },
    "head": {"mask_decoder": ".heads.mask_decoder"},
    "task": {"reconstruct": ".reconstruct.task"},
    "preparer": {
        "folder": ".prepare.folder",
        "modelnet10": ".prepare.modelnet10",
        "modelnet40": ".prepare.modelnet40",
        "scanobjectnn": ".prepare.scanobjectnn",
        "synthetic_solids": ".prepare.solids",
    },
    "drawer": {
        suffix: ".viz.files"
        for kinds in (
            (".off", ".ply", ".obj", ".stl", ".glb", ".gltf", ".3mf", ".dae"),
            (".txt", ".xyz", ".csv", ".npy", ".h5", ".hdf5"),
        )
        for suffix in kinds
    },
    "checkpoints": {
        "point_bert": ".checkpoints.point_bert",
        "point_mae": ".checkpoints.point_mae",
        "pointnext": ".checkpoints.pointnext",
    },
}
