"""The compiled calculators, a module for each family; `tideline.features.catalogue` lists them."""
