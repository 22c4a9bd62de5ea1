"""Our own pair of themes: every text at least 4.5:1 on what it stands on (WCAG 2.2, 1.4.3), muted text too.

In half of Textual's built-in themes muted text is under that. A test computes the contrast of every painted cell.
"""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="fieldsurvey-dark",
    dark=True,
    primary="#8ecbff",
    secondary="#a9c7e8",
    accent="#ffd479",
    warning="#ffbe6b",
    error="#ff9c9c",
    success="#8fe3ae",
    foreground="#f1f3f5",
    background="#11161c",
    surface="#11161c",
    panel="#1d252e",
    variables={
        "text": "#f1f3f5",
        "text-muted": "#b9c4cf",
        "text-disabled": "#9aa6b2",
        "foreground-muted": "#b9c4cf",
        "foreground-disabled": "#9aa6b2",
        "border": "#8ecbff",
        "border-blurred": "#5b6875",
        "block-cursor-foreground": "#0c1116",
        "block-cursor-background": "#8ecbff",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-foreground": "#f1f3f5",
        "block-cursor-blurred-background": "#2b3947",
        "input-cursor-background": "#ffd479",
        "input-cursor-foreground": "#0c1116",
        "input-selection-background": "#33475c",
        "input-selection-foreground": "#f1f3f5",
        "footer-background": "#1d252e",
        "scrollbar": "#5b6875",
        "scrollbar-background": "#1d252e",
        "scrollbar-background-hover": "#1d252e",
        "scrollbar-background-active": "#1d252e",
        "scrollbar-corner-color": "#1d252e",
        "button-color-foreground": "#0c1116",
    },
)

LIGHT = Theme(
    name="fieldsurvey-light",
    dark=False,
    primary="#0a4a86",
    secondary="#3a4f66",
    accent="#7a3e00",
    warning="#8a4600",
    error="#a3001b",
    success="#0a5f2c",
    foreground="#14191f",
    background="#fbfaf6",
    surface="#fbfaf6",
    panel="#ece9e0",
    variables={
        "text": "#14191f",
        "text-muted": "#47525d",
        "text-disabled": "#5a6570",
        "foreground-muted": "#47525d",
        "foreground-disabled": "#5a6570",
        "border": "#0a4a86",
        "border-blurred": "#8b95a0",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-background": "#0a4a86",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-foreground": "#14191f",
        "block-cursor-blurred-background": "#d3dde8",
        "input-cursor-background": "#7a3e00",
        "input-cursor-foreground": "#ffffff",
        "input-selection-background": "#c4d8ec",
        "input-selection-foreground": "#14191f",
        "footer-background": "#ece9e0",
        "scrollbar": "#8b95a0",
        "scrollbar-background": "#ece9e0",
        "scrollbar-background-hover": "#ece9e0",
        "scrollbar-background-active": "#ece9e0",
        "scrollbar-corner-color": "#ece9e0",
        "button-color-foreground": "#ffffff",
    },
)

THEMES = (DARK, LIGHT)
