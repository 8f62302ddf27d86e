import pytest
from answer_files import scanqa_rows, write, write_sqa3d

from geo_lm4ve.answering.files.scanqa import read_scanqa
from geo_lm4ve.answering.files.sqa3d import read_sqa3d
from geo_lm4ve.answering.files.vocabulary import read_vocabulary
from geo_lm4ve.data.errors import DataError


def test_scanqa_is_read_in_order_with_ids_as_texts(tmp_path):
    rows = scanqa_rows([["brown", "dark brown"], ["2"]])
    rows[1]["question_id"] = 17
    asked = read_scanqa(write(tmp_path / "val.json", rows))
    assert [one.id for one in asked.questions] == ["val-scene-0", "17"]
    assert asked.questions[0].answers == ("brown", "dark brown")
    assert asked.questions[1].object_ids == (1,)
    assert asked.types() == ["Object", "Object"]
    assert not asked.withheld


def test_a_test_split_has_questions_alone(tmp_path):
    rows = [{key: row[key] for key in ("scene_id", "question_id", "question")} for row in scanqa_rows([["a"], ["b"]])]
    assert read_scanqa(write(tmp_path / "test.json", rows)).withheld


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda rows: {"questions": rows}, "it holds a dict, not a list of questions of ScanQA"),
        (lambda rows: [], "it holds no question"),
        (lambda rows: [*rows, 3], "row 3 is a int, not questions of ScanQA"),
        (lambda rows: [rows[0], {**rows[1], "answers": []}], "row 1: answers is an empty list"),
        (lambda rows: [rows[0], {**rows[1], "answers": [2]}], "row 1: answers is a list of 1, not a list of texts"),
        (lambda rows: [rows[0], {**rows[1], "answers": None}], "row 1: answers is None"),
        (lambda rows: [rows[0], {**rows[1], "question_id": 1.5}], "row 1: question_id is 1.5, neither a text nor"),
        (lambda rows: [rows[0], rows[0]], "question 'val-scene-0' occurs twice, in rows 0 and 1"),
        (lambda rows: [{k: v for k, v in rows[0].items() if k != "answers"}, rows[1]], "row 1: it has answers"),
    ],
)
def test_what_is_wrong_with_scanqa_is_named_with_its_row(tmp_path, spoil, said):
    path = write(tmp_path / "val.json", spoil(scanqa_rows([["a"], ["b"], ["c"]])))
    with pytest.raises(DataError) as error:
        read_scanqa(path)
    assert said in str(error.value)
    assert str(path) in str(error.value)


def test_a_key_that_occurs_twice_is_refused(tmp_path):
    path = write(tmp_path / "val.json", '[{"question_id": "a", "question_id": "b"}]')
    with pytest.raises(DataError, match="'question_id' occurs twice"):
        read_scanqa(path)


def test_sqa3d_joins_two_files_by_id(tmp_path):
    asked = read_sqa3d(write_sqa3d(tmp_path, [("What is left?", "desk"), ("Is it on?", "no")]))
    assert [(one.id, one.answers) for one in asked.questions] == [
        ("220602000000", ("desk",)), ("220602000001", ("no",)),
    ]  # fmt: skip
    assert asked.questions[1].situation == "I stand at place 1."
    assert asked.types() == ["what", "is"]


def test_files_of_different_splits_do_not_join(tmp_path):
    one = write_sqa3d(tmp_path, [("What is left?", "desk"), ("Is it on?", "no")])
    fewer = tmp_path / "fewer"
    fewer.mkdir()
    write_sqa3d(fewer, [("What is left?", "desk")])
    questions = fewer / "v1_balanced_questions_test_scannetv2.json"
    with pytest.raises(DataError, match="answers 1 questions that nobody asks"):
        read_sqa3d(one, questions)
    with pytest.raises(DataError, match="has no answer to 1 of 2 questions"):
        read_sqa3d(
            fewer / "v1_balanced_sqa_annotations_test_scannetv2.json",
            tmp_path / "v1_balanced_questions_test_scannetv2.json",
        )


def test_questions_that_are_not_beside_the_answers_have_to_be_named(tmp_path):
    path = write_sqa3d(tmp_path, [("What is left?", "desk")])
    path = path.rename(tmp_path / "answers.json")
    with pytest.raises(DataError, match="name it with --questions FILE"):
        read_sqa3d(path)


def test_an_annotation_without_answers_is_named(tmp_path):
    path = write_sqa3d(tmp_path, [("What is left?", "desk")])
    write(path, path.read_text().replace('[{"answer": "desk", "answer_confidence": "yes", "answer_id": 1}]', "[]"))
    with pytest.raises(DataError, match="row 0: answers is no list of mappings with at least one"):
        read_sqa3d(path)


def test_both_official_vocabularies_are_read(tmp_path):
    assert read_vocabulary(write(tmp_path / "answer_vocab.json", {"brown": 3, "two": 1})) == {"brown", "two"}
    both = [{"brown": 0, "u": 1}, {"0": "brown", "1": "u"}]
    assert read_vocabulary(write(tmp_path / "answer_dict.json", both)) == {"brown", "u"}
    with pytest.raises(DataError, match="no mapping of answers to whole numbers"):
        read_vocabulary(write(tmp_path / "answer_dict.json", ["brown"]))
