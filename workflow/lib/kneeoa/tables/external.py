"""Results on external cohorts: accuracy by class, the change from the develop cohorts' test cases,
calibration, and apart what uses the external labels themselves.
"""

import pyarrow as pa

from kneeoa.tables.schema import TableSchema, optional, required

EXTERNAL = TableSchema(
    "external",
    pa.schema(
        [
            required("study", pa.string()),
            required("arm", pa.string()),  # or ensemble
            required("seeds", pa.int32()),  # how many seeds the row is the mean of
            required("cohort", pa.string()),  # external
            optional("develop", pa.string()),  # the develop cohort that it is compared with, or whose class shares it takes
            required("level", pa.string()),
            required("head", pa.string()),
            required("part", pa.string()),  # accuracy, change, calibration, secondary
            required("probabilities", pa.string()),  # predicted, raw, temperature, prior-corrected, recalibrated
            required("measure", pa.string()),
            optional("label", pa.string()),  # a class, of measures by class
            optional("estimate", pa.float64()),  # on the external cohort; null: undefined, see note
            optional("low", pa.float64()),
            optional("high", pa.float64()),
            required("interval", pa.string()),  # how it was made: wilson, logit, wald; none
            required("cases", pa.int32()),
            required("subjects", pa.int32()),
            optional("effective", pa.float64()),  # effective number of cases of a share
            optional("design_effect", pa.float64()),  # cases over effective
            optional("estimate_develop", pa.float64()),  # on the develop cohort's test cases
            optional("cases_develop", pa.int32()),
            optional("subjects_develop", pa.int32()),
            optional("change", pa.float64()),  # external - develop
            optional("change_low", pa.float64()),
            optional("change_high", pa.float64()),
            optional("p", pa.float64()),  # of no change; not adjusted
            required("note", pa.string()),  # empty, or why a value is undefined
        ]
    ),
    key=("study", "arm", "cohort", "develop", "level", "head", "part", "probabilities", "measure", "label"),
)
