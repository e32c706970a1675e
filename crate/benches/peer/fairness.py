"""Measures texts with LangFair 0.8: fairness.py FILE. The file holds JSON: two lists of texts, and
the stop words, groups and target words that both sides use. Prints a line of JSON: each measure's
value and the CPU seconds that it took, without imports.

Measures that need torch (cosine similarity, the neural classifiers) or query a model are left out,
so torch and langchain, which take gigabytes, are not installed: modules that import them get empty
stand-ins. NLTK's data is not on PyPI, so sentences are split by a pattern, which is faster than
punkt."""

import json
import re
import sys
import time
import types
import warnings

import nltk

warnings.filterwarnings("ignore")  # NLTK warns about a similarity of 0.

with open(sys.argv[1], encoding="utf-8") as file:
    asked = json.load(file)

unused = {
    "transformers": "pipeline",
    "sentence_transformers": "SentenceTransformer",
    "langfair.generator": "ResponseGenerator",
    "langfair.generator.counterfactual": "CounterfactualGenerator",
}
for module, name in unused.items():
    sys.modules[module] = types.ModuleType(module)
    setattr(sys.modules[module], name, None)
nltk.tokenize.sent_tokenize = lambda text, _language="english": re.split(r"(?<=[.!?])\s+", text)
nltk.corpus.stopwords = types.SimpleNamespace(words=lambda _language: asked["stop_words"])

from langfair.metrics.counterfactual.metrics import BleuSimilarity, RougelSimilarity, SentimentBias
from langfair.metrics.stereotype.metrics import CooccurrenceBiasMetric, StereotypicalAssociations

first, second = asked["first"], asked["second"]
groups = {"demographic_group_word_lists": asked["groups"], "stereotype_word_list": asked["targets"]}
measures = {
    "BLEU": (BleuSimilarity(), [first, second]),
    "ROUGE-L": (RougelSimilarity(), [first, second]),
    "sentiment": (SentimentBias(), [first, second]),
    "COBS": (CooccurrenceBiasMetric(**groups), [first + second]),
    "association": (StereotypicalAssociations(**groups), [first + second]),
}
found = {}
for name, (measure, texts) in measures.items():
    started = time.process_time()
    value = measure.evaluate(*texts, show_progress_bars=False)
    found[name] = {"value": float(value), "seconds": time.process_time() - started}
print(json.dumps(found))
