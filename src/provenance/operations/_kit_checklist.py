"""What reviewers ask for, and how much of it the record answers.

The questions are those of the checklists in `exports.checklist.SOURCES`, put together where several
ask the same. An answer quotes the record or the repository; what neither can know is open and says
what the authors have to write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from provenance.exports.checklist import Item
from provenance.operations import _kit_answers as code
from provenance.operations import _kit_answers_results as results
from provenance.operations._kit_answers import Answer, Asked


class Question(NamedTuple):
    """One question: as a statement, who asks it, and what finds its answer, or what to write."""

    statement: str
    asked_by: str
    answer: Callable[[Asked], Answer] | str


_NEURIPS_ACL = "NeurIPS ACL"
QUESTIONS: dict[str, tuple[Question, ...]] = {
    "Dependencies and environment": (
        Question("Dependencies are stated in a file", "MLCC JOSS", code.dependencies),
        Question(
            "The exact environment of the authors: operating system, Python, package versions",
            "NeurIPS EuroSys ASPLOS",
            code.environment,
        ),
        Question(
            "Hardware, named up front: processors, memory, GPUs, driver",
            "NeurIPS ACL MLSys ASPLOS",
            code.machine,
        ),
        Question(
            "A container comes with the script that builds it", "MLCC EuroSys", code.container
        ),
        Question(
            "Tried on a clean set-up, on another machine than the authors'",
            "EuroSys",
            "say where it was tried and by whom; prov init github tries it on each push",
        ),
        Question(
            "Nothing depends on folders or addresses of the authors' machines",
            "EuroSys",
            code.places,
        ),
    ),
    "Code and commands": (
        Question("Training code", "MLCC", code.used),
        Question("Evaluation code", "MLCC", code.evaluation),
        Question("The precise command for each result", "MLCC EuroSys", code.commands),
        Question("A minimal working example", "EuroSys JOSS", code.example),
        Question("Random seeds", _NEURIPS_ACL, code.seeds),
        Question("Values of all hyper-parameters", _NEURIPS_ACL, code.parameters),
        Question(
            "How hyper-parameters were chosen: bounds, method, number of trials",
            _NEURIPS_ACL,
            "write the search space, how it was searched, and how many runs that took",
        ),
        Question("A fixed version of the code", "ACM EuroSys", code.commit),
        Question("Licence of the code", "EuroSys ASPLOS JOSS MLOSS", code.licence),
        Question(
            "Archived with a DOI",
            "ACM ASPLOS",
            "archive a release (Zenodo, Software Heritage) and put the DOI into CITATION.cff",
        ),
    ),
    "Data and models": (
        Question("Data files and their sizes", "ASPLOS", results.data),
        Question("Where the data is, and which version", "ACL ASPLOS", results.sources),
        Question(
            "Statistics, splits, exclusions and pre-processing of the data",
            _NEURIPS_ACL,
            "write them for each data set",
        ),
        Question(
            "Licence of the data and how to get it",
            "NeurIPS ASPLOS",
            "name the licence of each data set and of each pre-trained model",
        ),
        Question("Pre-trained models", "MLCC", results.weights),
    ),
    "Results and cost": (
        Question("A table of results next to the commands", "MLCC", results.table),
        Question(
            "Expected results, and the tolerance within which they count as reproduced",
            "ACM MLSys",
            results.expected,
        ),
        Question(
            "Error bars or summary statistics over several runs", _NEURIPS_ACL, results.spread
        ),
        Question("A validation score for each test score", "ACL", results.validation),
        Question("Metrics are defined", "ACL ASPLOS", results.metrics),
        Question("Run time", "NeurIPS ACL EuroSys", results.time),
        Question("Number of parameters", "ACL", results.parameters),
        Question("Disk and memory that it takes", "EuroSys ASPLOS", results.room),
        Question(
            "Time to prepare, and total compute of the project with what was tried and dropped",
            "NeurIPS ASPLOS",
            "write both; a record knows one run",
        ),
        Question("Software papers: automated tests", "JOSS MLOSS", code.tests),
        Question(
            "The venue's own paper checklist is answered",
            _NEURIPS_ACL,
            "fill it in in the paper: a submission without it may be rejected unread",
        ),
    ),
}
"""By group, in the order in which they are shown."""


def items(asked: Asked) -> tuple[Item, ...]:
    """Return all questions with their answers."""
    found = []
    for group, questions in QUESTIONS.items():
        for one in questions:
            answer = Answer("", one.answer) if isinstance(one.answer, str) else one.answer(asked)
            found.append(Item(group, one.statement, tuple(one.asked_by.split()), *answer))
    return tuple(found)
