"""A picture as an answer: the place of a file is typed, Enter takes it in. Cleaning and keeping are the work's."""

from __future__ import annotations

from textual.widgets import Input

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.xforms.contract import Question


class PictureEditor(Input):
    """What is typed is not the answer: that is the name which the picture gets when it is taken in."""

    def __init__(self, question: Question) -> None:
        self.kept = question.value
        super().__init__(placeholder=_("the place of a picture, like /media/camera/place.jpg"))

    def stored(self) -> str | None:
        """See Editor."""
        return self.kept

    def show(self, question: Question) -> None:
        """See Editor. Once another picture is there, the place that was typed has served."""
        if question.value != self.kept:
            self.kept = question.value
            self.value = ""

    def status(self) -> str:
        """What stands, and what can be done."""
        if self.kept is None:
            return _(
                "[Enter] takes it in: cleaned of place, time and camera, and encrypted. The file stays where it is."
            )
        return _("Kept: {name}. Another place replaces it, - takes it away.").format(name=self.kept)
