"""Small annotation files and answers, and the command that scores them."""

import json
import math
import re

from answer_cases import TWELVE

from geo_lm4ve.language.tokeniser import Tokeniser


class JavaTokens(Tokeniser):
    """What Java's tokeniser makes of the twelve, so that no package is needed."""

    name = "of the twelve"

    def tokenise(self, texts):
        return [re.findall(r"</s>|\w+(?:'\w+)?", text.lower()) for text in texts]


def scanqa_rows(answers, question="What is on the desk?"):
    return [
        {
            "scene_id": f"scene000{number % 3}_00", "object_ids": [number], "object_names": ["desk"],
            "question_id": f"val-scene-{number}", "question": question, "answers": right,
        }
        for number, right in enumerate(answers)
    ]  # fmt: skip


def write(path, value):
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def write_twelve(folder):
    """The annotation file of the twelve and a file of their predictions."""
    rows = scanqa_rows([right for _, right in TWELVE])
    said = {row["question_id"]: guess for row, (guess, _) in zip(rows, TWELVE)}
    return write(folder / "val.json", rows), write(folder / "pred.json", said)


def pose_fields(x=0.0, y=0.0, degrees=0.0):
    """A turn about z at a place, as SQA3D writes it."""
    half = math.radians(degrees) / 2
    rotation = {"_w": math.cos(half), "_x": 0, "_y": 0, "_z": math.sin(half)}
    return {"position": {"x": x, "y": y, "z": 0}, "rotation": rotation}


def write_sqa3d(folder, asked, split="test"):
    """(question, answer) -> the file of annotations, with that of questions beside it; askers stand at (n, 0)."""
    questions = [
        {"scene_id": f"scene000{n % 2}_00", "situation": f"I stand at place {n}.", "alternative_situation": [],
         "question": question, "question_id": 220602000000 + n}
        for n, (question, _) in enumerate(asked)
    ]  # fmt: skip
    annotations = [
        {"scene_id": one["scene_id"], "question_type": "N/A", "answer_type": "other", "question_id": one["question_id"],
         "answers": [{"answer": answer, "answer_confidence": "yes", "answer_id": 1}], **pose_fields(x=n)}
        for n, (one, (_, answer)) in reversed(list(enumerate(zip(questions, asked))))
    ]  # fmt: skip
    write(folder / f"v1_balanced_questions_{split}_scannetv2.json", {"questions": questions})
    return write(folder / f"v1_balanced_sqa_annotations_{split}_scannetv2.json", {"annotations": annotations})
