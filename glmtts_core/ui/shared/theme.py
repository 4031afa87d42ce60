"""Colours and the few style rules that Streamlit's own theme cannot express."""

from __future__ import annotations

from typing import Final

import streamlit as st

from glmtts_core.memory.layers import Layer

#: One colour a memory layer, the same on every chart, readable on light and dark ground.
LAYER_COLOURS: Final[dict[Layer, str]] = {
    # one family of blues: together they are the weights
    Layer.LANGUAGE_MODEL: "#2d659b",
    Layer.FLOW: "#5a97cc",
    Layer.VOCODER: "#93c0e4",
    Layer.TOKENIZER: "#56809f",
    Layer.WEIGHTS: "#3f7fae",
    Layer.CACHES: "#2fa58f",
    Layer.WORKSPACE: "#8b74c4",
    Layer.RECLAIMABLE: "#e8a33d",
    Layer.PAGES: "#566573",
    Layer.OUTSIDE: "#8896a3",
    Layer.OTHER: "#b9a58f",
    Layer.UNKNOWN: "#a0a0a0",
    Layer.FREE: "rgba(128,140,150,0.12)",
}

#: Key of the form's container: on a phone its text comes before the reference recording.
SYNTHESIS_FORM: Final = "synthesis_form"

_STYLE: Final = """
<style>
  .block-container { padding-top: 2.6rem; padding-bottom: 3rem; }
  section[data-testid="stSidebar"] .block-container { padding-top: 1rem; }
  [data-testid="stSidebarHeader"] { height: 2.2rem; margin-bottom: 0; padding-top: .4rem; }
  .glm-figures { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; font-size: .82rem;
                 font-variant-numeric: tabular-nums; line-height: 1.35; }
  .glm-figures b { font-weight: 600; font-size: .98rem; }
  .glm-figures span { opacity: .72; }
  .glm-legend { display: flex; flex-wrap: wrap; gap: .05rem .8rem; font-size: .76rem;
                font-variant-numeric: tabular-nums; }
  .glm-legend i { display: inline-block; width: .62rem; height: .62rem; border-radius: 2px;
                  margin-right: .3rem; vertical-align: -1px; }
  .glm-brand { font-weight: 700; font-size: .98rem; white-space: nowrap; }
  [data-testid="stSidebar"] [data-testid="stButtonGroup"] button
    { padding: .1rem .55rem; min-height: 1.8rem; }
  .glm-advice { font-size: .84rem; line-height: 1.45; padding: .45rem .7rem; border-radius: 6px;
                border-left: 3px solid #e8a33d; background: rgba(232, 163, 61, .12); }
  .glm-report { font-size: .84rem; font-variant-numeric: tabular-nums; }
  .glm-facts { font-variant-numeric: tabular-nums; font-size: .92rem; }
  .glm-cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr));
               gap: .7rem; font-variant-numeric: tabular-nums; }
  .glm-cards > div { border: 1px solid rgba(128, 140, 150, .35); border-radius: 8px;
                     padding: .55rem .85rem; font-size: .84rem; }
  .glm-cards b { display: block; font-size: 1.35rem; font-weight: 600; line-height: 1.5; }
  .glm-scroll { overflow-x: auto; }
  .glm-table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .84rem; }
  .glm-table th, .glm-table td { border: 0; border-bottom: 1px solid rgba(128, 140, 150, .3);
                                 padding: .35rem .9rem .35rem 0; text-align: left;
                                 vertical-align: top; font-weight: 400; }
  .glm-table th { opacity: .8; min-width: 6.5rem; }
  .glm-table b { display: block; font-weight: 600; font-size: .95rem; white-space: nowrap; }
  .glm-table span { opacity: .7; font-size: .76rem; white-space: nowrap; }
  .glm-claims > div { display: grid; grid-template-columns: 1fr 1fr; gap: .3rem 2rem;
                      padding: .55rem 0; border-bottom: 1px solid rgba(128, 140, 150, .3);
                      font-size: .88rem; line-height: 1.45; }
  .glm-claims ul { margin: .2rem 0 0; padding-left: 1.1rem; font-size: .8rem; opacity: .75;
                   font-variant-numeric: tabular-nums; }
  .glm-claims ul:empty { display: none; }
  .glm-light { display: inline-block; width: .7rem; height: .7rem; border-radius: 50%;
               margin-right: .45rem; vertical-align: -1px; }
  .glm-answer { font-style: normal; font-size: .78rem; padding: .08rem .5rem; border-radius: 6px;
                background: rgba(128, 140, 150, .2); white-space: nowrap; }
  .glm-confirmed { background: rgba(47, 165, 143, .25); }
  .glm-not-confirmed { background: rgba(232, 163, 61, .25); }
  @media (min-width: 641px) {
    .block-container { padding-left: 3rem; padding-right: 3rem; }
    .glm-phone-only { display: none; }
  }
  @media (max-width: 640px) {
    .glm-claims > div { grid-template-columns: 1fr; }
    .st-key-synthesis_form > div > [data-testid="stHorizontalBlock"],
    .st-key-synthesis_form > [data-testid="stHorizontalBlock"]
      { flex-direction: column-reverse; }
    .st-key-synthesis_form > div > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"],
    .st-key-synthesis_form > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"]
      { width: 100%; min-width: 100%; flex: 0 0 auto; }
  }
  .glm-heard { display: flex; flex-wrap: wrap; gap: .5rem 1rem; line-height: 1.5;
               overflow-wrap: anywhere; }
  .glm-heard ruby { ruby-align: center; margin: 0 .1em; }
  .glm-heard rt { font-size: .68em; opacity: .7; }
  .glm-heard [lang="zh"] { line-height: 2; }
  .glm-muted { opacity: .7; font-size: .84rem; }
  .glm-verdict { display: flex; flex-wrap: wrap; align-items: baseline; gap: .1rem 1.1rem;
                 font-variant-numeric: tabular-nums; }
  .glm-one-line { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
  .glm-small-cards { grid-template-columns: repeat(auto-fit, minmax(5.9rem, 1fr)); gap: .4rem;
                     margin-bottom: .5rem; }
  .glm-small-cards > div { padding: .3rem .6rem; font-size: .78rem; }
  .glm-small-cards b { font-size: 1.02rem; white-space: nowrap; }
</style>
"""


def apply() -> None:
    """Put the style rules on the page."""
    st.html(_STYLE)
