"""The configuration: read, checked, resolved and said; `design` is what config.yaml may say."""
