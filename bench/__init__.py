"""What the library costs, each figure beside its floor: `python -m bench` (or `make bench`)."""
