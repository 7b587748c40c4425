"""Region features: backbones, decoding, extraction, and the shards that training streams."""
