"""How papermill runs a lesson: it saves the notebook at the end, however it ends.

Papermill's own engine saves before and after each cell. With 95 cells, and figures in them, that took more of its time
than all else it does: two seconds a lesson.
"""

from typing import Any

from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines

NAME = "saved once"


class SavedOnceEngine(NBClientEngine):
    """Papermill's engine, with the path to save to hidden from it while cells run."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: NotebookExecutionManager, kernel_name: str, **options: Any) -> None:
        """Run the cells; what calls this saves the notebook afterwards, also after an error."""
        path, nb_man.output_path = nb_man.output_path, None
        try:
            super().execute_managed_notebook(nb_man, kernel_name, **options)
        finally:
            nb_man.output_path = path


def register() -> str:
    """Make the engine known to papermill, in this process, and return its name."""
    papermill_engines.register(NAME, SavedOnceEngine)
    return NAME
