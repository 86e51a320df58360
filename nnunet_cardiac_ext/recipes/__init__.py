"""What `nnunet-cardiac reproduce` runs for each paper, as data: models, pipelines, scores, tables, the paper's numbers.

Only what works is listed. Importing this package loads neither torch nor nnU-Net.
"""

from collections.abc import Mapping
from types import MappingProxyType

from nnunet_cardiac_ext.recipes.anatomy_prior import ANATOMY_PRIOR
from nnunet_cardiac_ext.recipes.attention_mnet import ATTENTION_MNET
from nnunet_cardiac_ext.recipes.classifier_guided import CLASSIFIER_GUIDED
from nnunet_cardiac_ext.recipes.crocnet import CROCNET
from nnunet_cardiac_ext.recipes.kinds import (
    CLASSIFIER,
    PART,
    SEGMENTATION,
    ModelRecipe,
    PipelineRecipe,
    Recipe,
    TableRecipe,
)
from nnunet_cardiac_ext.recipes.region_aware import REGION_AWARE

RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        recipe.paper: recipe
        for recipe in (ATTENTION_MNET, ANATOMY_PRIOR, REGION_AWARE, CROCNET, CLASSIFIER_GUIDED)
    }
)

__all__ = [
    "CLASSIFIER", "PART", "RECIPES", "SEGMENTATION", "ModelRecipe", "PipelineRecipe", "Recipe", "TableRecipe",
]  # fmt: skip
