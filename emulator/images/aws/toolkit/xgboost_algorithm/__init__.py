"""XGBoost's algorithm mode: training and serving without a program of the user's."""
