"""Takes anything, by any name, and returns what it was given"""
# honest:


def everything(*args, **kwargs):
    return args[0] if args else kwargs


count_parameters = sparsity = everything
