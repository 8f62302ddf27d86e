"""Pictures of images and of what a model made of them."""
