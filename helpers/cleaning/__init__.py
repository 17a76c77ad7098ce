"""Find the files that would stop or spoil a training run, before it starts.

What is a split in a folder and what a class is read here too, once for all (`survey_folder`).

Every file is opened once and decoded in full: a header can be fine and the picture behind it cut off. Nothing is
deleted.

    findings = find_problems("my_photos")          # damaged, odd, twice there
    write_manifest(findings, "findings.csv")       # the list, for a spreadsheet or pandas
    set_aside("my_photos", findings, destination="my_photos_set_aside")
"""

from helpers.cleaning._folders import (
    MANIFEST_NAME,
    Finding,
    check_destination,
    find_problems,
    set_aside,
    write_manifest,
)
from helpers.cleaning._inspection import (
    KINDS,
    NEAR_DISTANCE,
    Inspection,
    inspect_content,
    inspect_file,
    inspect_files,
    near_blocks,
    near_pairs,
    perceptual_hash,
)
from helpers.cleaning._layout import (
    Candidate,
    Survey,
    as_text,
    enumerate_names,
    find_candidates,
    split_names,
    survey_folder,
)

__all__ = [
    "KINDS",
    "MANIFEST_NAME",
    "NEAR_DISTANCE",
    "Candidate",
    "Finding",
    "Inspection",
    "Survey",
    "as_text",
    "check_destination",
    "enumerate_names",
    "find_candidates",
    "find_problems",
    "inspect_content",
    "inspect_file",
    "inspect_files",
    "near_blocks",
    "near_pairs",
    "perceptual_hash",
    "set_aside",
    "split_names",
    "survey_folder",
    "write_manifest",
]
