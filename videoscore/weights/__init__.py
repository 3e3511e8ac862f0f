"""The trained weights, as data: `videoscore.resources.weight_file` knows where they lie; docs/models, what they are."""
