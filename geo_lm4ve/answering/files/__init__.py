"""Files of questions, answers and boxes: the official annotations, predictions in the forms that people write."""
