"""Questions as people put them, and how the title of the recipe that answers each begins.

They were written after the book's own phrases, and the book has not been changed by them.
"""

from __future__ import annotations

QUESTIONS = {
    "lots of nulls in my sensor readings, linear models crash": "Fill missing numbers",
    "can absence of a measurement itself be predictive?": "Keep the fact",
    "fill holes by looking at comparable records": "Impute from the most similar",
    "country has 3 rare values that appear once, encode it": "One-hot encode",
    "user ids as input without a huge matrix": "Hash thousands",
    "extract the day of week and quarter from order_date": "Turn a date into parts",
    "month 12 and month 1 should be neighbours": "Encode hours",
    "do I fit the scaler on all data or only on train?": "Standardise numbers",
    "salary has an extremely long tail": "Make skewed numbers",
    "trim extreme values": "Clip outliers",
    "some cells are inf after division": "Find infinite",
    "two features correlate at 0.999": "Drop columns that never change",
    "hold out a quarter of the data keeping the label ratio": "Split into train and test",
    "several images per person, how do I cross-validate?": "Split so that no customer",
    "backtest a model month by month": "Train on the past",
    "my AUC is 0.9999, what is wrong?": "Find columns that give the target",
    "did I leak by selecting features before cross validation?": "See what preprocessing outside",
    "has the distribution of inputs shifted since deployment?": "Measure drift",
    "fraud is one percent of rows and never predicted": "Weigh rare classes",
    "a false negative is ten times worse than a false positive": "Choose the threshold that costs",
    "I can only tolerate 10% false alarms among alerts": "Highest recall at a precision",
    "when it says 80% it is right 60% of the time": "Calibrate a classifier",
    "range of plausible values around a regression output": "Intervals for a prediction",
    "predict the median and the 95th percentile of delivery time": "Predict quantiles",
    "how good is always guessing the most common label": "A baseline",
    "number of boosting rounds": "Stop boosting",
    "price must go up with square metres": "Make a prediction rise",
    "more features than rows in a regression": "A linear regression that picks",
    "categorise support tickets from their description": "Classify texts by their words",
    "typos and slang in tweets": "Words and character",
    "plagiarised paragraphs": "Find texts that are nearly",
    "which terms are typical of each topic": "The words that tell",
    "uncertainty of a ROC score": "An interval for AUC",
    "is a 1% improvement just noise?": "Tell whether one model",
    "do I need to annotate more data": "See whether more rows",
    "which variables is my random forest using": "Which features matter",
    "performance by region": "Find slices",
    "rolling average of past demand": "What happened before",
    "store a trained classifier and reload it in production": "Save a fitted model",
    "detect strange transactions without labels": "Find unusual rows",
}
