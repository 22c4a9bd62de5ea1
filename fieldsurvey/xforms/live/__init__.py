"""An interview's live state: nodes with slots, recalculation, validity, navigation, drafts."""
