"""What config.yaml says of training and of the audio that is made for it: recipe sets, pre-training, generators."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from audioprune import registry
from audioprune.config.names import AugmentFields, FamilyName, RecipeFields
from audioprune.settings.closed import Closed, OptionValue
from audioprune.settings.data import GenerateSettings


class Generated(Closed):
    """How much audio a generator makes, and from which seed."""

    clips: int = Field(gt=0, description="clips made")
    seed: int = Field(0, ge=0, description="of everything that is drawn at random")
    options: dict[str, OptionValue] = Field(default_factory=dict, description="the generator's own options")


class PretrainPlan(Closed):
    """How one family is pre-trained."""

    objective: Literal["mae", "supervised"] = Field(description="masked autoencoding, or training with labels")
    recipe: RecipeFields = Field(
        default_factory=dict, description="fields of Recipe, laid over those that all families share"
    )
    augment: AugmentFields = Field(default_factory=dict, description="fields of Augment")
    mask_ratio: float = Field(0.8, gt=0, lt=1, description="mae: share of patches hidden from the encoder")
    decoder_width: int = Field(64, gt=0, multiple_of=4, description="mae: width of the decoder's tokens")
    decoder_depth: int = Field(2, ge=0, description="mae: number of the decoder's blocks")
    seed: int = Field(0, ge=0, description="of weights, order of clips, augmentation and masks")


class Pretraining(Closed):
    """How the tiny backbones get their checkpoint: one corpus, one plan for each family."""

    corpus: GenerateSettings = Field(description="the generated audio")
    recipe: RecipeFields = Field(default_factory=dict, description="fields of Recipe that all families share")
    families: dict[FamilyName, PretrainPlan] = Field(
        description="family -> plan; a family without one has that of the family it is like (ast-mp: ast)"
    )


class Taught(Closed):
    """How recognisers with a CTC head learn: a base from nothing, or as published; then each policy's model from it.

    Every pruned model, and an unpruned one beside them, is adapted from the same base, and the base is pruned off the
    shelf as well.
    """

    options: dict[str, OptionValue] = Field(
        default_factory=dict, description="switches of its datasets, laid over those of `dataset_options`"
    )
    units: Literal["words", "chars"] = Field(
        "words", description="outputs: every word of the training transcripts, or letters and a word boundary"
    )
    strip: int = Field(4, ge=1, le=16, description="frames of 10 ms that make a token of strips")
    coarser: tuple[Annotated[int, Field(ge=1, le=16)], ...] = Field(
        (), description="longer strips, trained unpruned: the rival that hears fewer tokens from the start"
    )
    base: RecipeFields = Field(
        default_factory=dict, description="fields of Recipe by which it is trained from nothing; none: as published"
    )
    adapted: RecipeFields = Field(
        default_factory=dict, description="fields of Recipe by which each model is adapted; none: none is"
    )
    specaug_freq: int = Field(0, ge=0, description="SpecAug of strips: widest masked band, in mel bins; 0: off")
    specaug_time: int = Field(0, ge=0, description="SpecAug of strips: longest masked span, in frames of 10 ms; 0: off")
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field((0,), min_length=1, description="of weights and order")
    also_on: tuple[str, ...] = Field((), description="further datasets whose test clips every model transcribes")


class Part(Closed):
    """Fields of Recipe and of Augment, as many as are to be said.

    Parts are laid over one another field by field: a field that a part gives replaces what was there, a list as a
    whole, and one that it does not give stays. A field is unset by its off value, such as `mask_2d: 0` or
    `noise: false`; what no part gives has the default of Recipe or Augment.
    """

    recipe: RecipeFields = Field(
        default_factory=dict, description="fields of Recipe: each replaces that of the part below, the others stay"
    )
    augment: AugmentFields = Field(
        default_factory=dict,
        description="fields of Augment: each replaces that of the part below, the others stay; one that is on below is "
        "switched off by its off value, such as `mask_2d: 0` or `noise: false`",
    )


class FamilyRecipes(Closed):
    """The parts of one family: `all`, and one for each dataset that is trained otherwise, laid over `all`."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Part]

    like: FamilyName | None = Field(
        None, description="a family of the same set over whose parts these are laid: `all` over its `all`, and so on"
    )

    @property
    def parts(self) -> dict[str, Part]:
        """{`all` or a dataset: part}."""
        return self.__pydantic_extra__


def _families(schema: dict[str, Any]) -> None:
    """Editors are told which keys a set may have."""
    schema.update(propertyNames={"enum": [*schema["properties"], *registry.families()]})


class RecipeSet(Closed):
    """Recipes by family; a family without a block has that of the family it is like (ast-mp: ast)."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_families)
    __pydantic_extra__: dict[str, FamilyRecipes]

    extends: str | None = Field(
        None,
        description="another set, over whose parts these are laid: a family's `all` over the same family's `all`, its "
        "part for a dataset over the part for that dataset, field by field",
    )

    @property
    def families(self) -> dict[str, FamilyRecipes]:
        return self.__pydantic_extra__
