"""What sending a record back can refuse.

InputError
├── NoSuchCaseError         central has no such case, or several that begin so
├── CommentsFileError       a file of comments that is not one
├── NoCommentsError         nothing is said
├── LongCommentError        a comment, or all of them, over what a return holds
└── UnknownRefsError        questions that the form or the record does not have
RefusedError
├── CaseWithdrawnError      the person took the case back
├── NotReturnableError      there is nothing of the case that a laptop could mend
├── NotOpenedError          its record does not open or cannot be read
└── AlreadyOutError         it was sent back, and has not come again
"""

from __future__ import annotations

from fieldsurvey.base.errors import InputError, RefusedError


class NoSuchCaseError(InputError):
    """No case of that id, or of several that begin so."""

    code = "needs.no_case"
    template = "Central has {count} cases that begin with {case}."
    hint = "Nothing was opened. Give the whole id of one case, 32 letters and digits, or as many as tell it apart."


class CommentsFileError(InputError):
    """Not a CSV with the columns ref and comment."""

    code = "needs.comments_file"
    template = "{path} is not a table of comments ({reason})."
    hint = "Nothing was opened. It is a CSV file in UTF-8 with the columns ref and comment, one question a line."


class NoCommentsError(InputError):
    """Nothing is said to the enumerator."""

    code = "needs.no_comments"
    template = "A record goes back with something to say about it."
    hint = "Nothing was opened. Name a file with --comments, or say it with --comment REF=TEXT or --general TEXT."


class LongCommentError(InputError):
    """Over a bound of what a return holds."""

    code = "needs.long_comment"
    template = "That is more than a return holds ({what}; {limit} at most)."
    hint = "Nothing was opened. Say it in fewer words: the enumerator reads it beside the question."


class UnknownRefsError(InputError):
    """Questions that are not there."""

    code = "needs.unknown_refs"
    template = "This record has no question {refs}."
    hint = (
        "Nothing was sent. A question is named as its form names it, or by its whole path with the row's number in each"
        " repeat, /data/person[2]/age."
    )


class CaseWithdrawnError(RefusedError):
    """The person took the case back."""

    code = "needs.case_withdrawn"
    template = "Case {case} was withdrawn."
    hint = "Nothing was opened and nothing is sent back: nobody mends what somebody took back."


class NotReturnableError(RefusedError):
    """There is nothing of the case that a laptop could mend."""

    code = "needs.not_returnable"
    template = "Case {case} cannot go back to a laptop: {reason}."
    hint = "Nothing was sent. What nobody remembers is recorded as missing when the round is read."


class NotOpenedError(RefusedError):
    """Its record does not open, or cannot be read."""

    code = "needs.not_opened"
    template = "The record of case {case} cannot be read: {reason}"
    hint = "Nothing was sent. `fieldsurvey central verify` says whether central's copy is whole."


class AlreadyOutError(RefusedError):
    """It was sent back, and has not come again."""

    code = "needs.already_out"
    template = "Revision {revision} of case {case} was sent back already and has not come again."
    hint = (
        "Nothing was sent. It travels with every stick until it is answered. If its laptop let it go unmended, send it"
        " anew with --again."
    )
