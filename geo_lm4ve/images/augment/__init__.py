"""What training does to batches of images: RandAugment, colour jitter, erasing, mixing, as timm and DeiT have them."""
