"""What runs inside the sandbox, with nothing but the standard library.

Started under the name ``inside``, without Assay: siblings are imported relative to here.
"""
