"""Find the files that would stop or spoil a training run, before it starts.

Every file is decoded in full: a header can be fine and the picture behind it cut off. Nothing is deleted.

    findings = find_problems("my_photos")          # damaged, odd, twice there
    write_manifest(findings, "findings.csv")       # the list, for a spreadsheet or pandas
    set_aside("my_photos", findings, destination="damaged")
"""

from helpers.cleaning._files import FileReport, digest_of, inspect_file, inspect_files
from helpers.cleaning._folders import KINDS, SPLIT_FOLDERS, Finding, find_candidates, find_problems
from helpers.cleaning._likeness import NEAR_DISTANCE, near_pairs, perceptual_hash
from helpers.cleaning._manifest import MANIFEST_NAME, check_destination, set_aside, write_manifest

__all__ = [
    "KINDS",
    "MANIFEST_NAME",
    "NEAR_DISTANCE",
    "SPLIT_FOLDERS",
    "FileReport",
    "Finding",
    "check_destination",
    "digest_of",
    "find_candidates",
    "find_problems",
    "inspect_file",
    "inspect_files",
    "near_pairs",
    "perceptual_hash",
    "set_aside",
    "write_manifest",
]
