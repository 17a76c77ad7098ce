"""Checks for notebook 00, the first lesson."""

from pathlib import Path

import numpy as np

from helpers.checks._lesson import answer_questions
from helpers.checks._runner import case, exercise

show_solution, show_open_exercises = answer_questions(__name__)


@exercise(
    case([0.05, 0.6, 0.2, 0.15], ["cat", "dog", "fox", "bird"]),
    case([0.05, 0.15, 0.2, 0.6], ["bus", "car", "tram", "bicycle"]),
    case([0.9, 0.1], ["mug", "plant"]),
    asked="For {} and {}",
    right="the name that stands where the highest probability stands.",
)
def check_most_likely(probabilities, class_names):
    """`most_likely(probabilities, class_names)` is the name of the most probable class."""
    place = int(np.argmax(probabilities))
    return class_names[place], {
        "That is the position: use it to pick a name, class_names[position].": place,
        "That is the probability: asked is the name that belongs to it.": probabilities[place],
        "That is the least likely class: look for the largest value, not the smallest.": class_names[
            int(np.argmin(probabilities))
        ],
        "That is the last name in the list, whatever the probabilities are.": class_names[-1],
        "That is the last name in alphabetical order: the names do not decide, the probabilities do.": max(class_names),
    }


@exercise(
    case(np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0])),
    case(np.array([1, 1, 0, 2, 2]), np.array([0, 1, 1, 2, 0])),
    case(np.array([0, 0]), np.array([0, 0]), why="If all are right, the accuracy is 1."),
    asked="For {} and {}",
    right="three of four are 0.75; the share is of all predictions, however many there are.",
)
def check_accuracy(predicted, labels):
    """`accuracy(predicted, labels)` is the share of right predictions."""
    share = float(np.mean(predicted == labels))
    return share, {
        "That is the number of right answers: divide by the number of all.": int((predicted == labels).sum()),
        "That is the share of wrong answers: count where both are equal.": 1 - share,
        "That is in per cent: asked is a share from 0 to 1.": 100 * share,
        "You divide by 32, whatever comes: divide by the number of labels.": float((predicted == labels).sum() / 32),
    }


@exercise(
    case([Path("my_photos/mug/1.jpg"), Path("my_photos/plant/1.jpg"), Path("my_photos/mug/2.jpg")]),
    case([Path("photos/dog/b.png"), Path("photos/cat/a.png")], why="The order is that of the alphabet."),
    case([Path("a/b/train/sun/1.jpg"), Path("a/b/train/rain/1.jpg")], why="Only the folder that a file is in counts."),
    right="each name once, in alphabetical order: so label 0 is the same class on every machine.",
)
def check_class_names(paths):
    """`class_names(paths)` gives the names of the folders that files are in, each once, sorted."""
    names = [path.parent.name for path in paths]
    return sorted(set(names)), {
        "A name comes as often as it has pictures: make a set of them first.": sorted(names),
        "The names are in the order in which they came: sort them.": list(dict.fromkeys(names)),
        "Those are the names of the files: a file's folder is its parent.": sorted({path.name for path in paths}),
        "Those are the first folders of the paths: the class is the folder that the file is in.": sorted(
            {path.parts[0] for path in paths}
        ),
        "Those are paths: of each folder only its name.": sorted({str(path.parent) for path in paths}),
    }
