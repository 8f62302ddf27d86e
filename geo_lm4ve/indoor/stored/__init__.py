"""The folder of a prepared data set: rooms, mean sizes of boxes, answers, and the official files of questions."""
