"""Findings keep their identity when lines move, and only new errors block."""

from core.files import FileTree
from core.findings import CheckResult, Finding, blocking, fingerprinted, marked


def finding(line: int, rule: str = "R", level: str = "error", message: str = "bad on line 3") -> Finding:
    return Finding(rule, level, "a.py", line, message, "tool")  # type: ignore[arg-type]


def result(tree: FileTree, *findings: Finding) -> CheckResult:
    return CheckResult("check", "failed", 0.1, fingerprinted(findings, tree))


def fingerprints(known: CheckResult) -> set[str]:
    return {one.fingerprint for one in known.findings}


def test_a_finding_whose_line_moved_is_not_new() -> None:
    before, after = FileTree({"a.py": b"x\ny\n"}), FileTree({"a.py": b"new\nx\ny\n"})
    known = result(before, finding(2, message="bad on line 2"))
    (now,) = marked([result(after, finding(3))], fingerprints(known), {})
    assert [one.new for one in now.findings] == [False]
    assert blocking([now]) == ()


def test_the_same_line_twice_counts_twice() -> None:
    before, after = FileTree({"a.py": b"x\n"}), FileTree({"a.py": b"x\nx\n"})
    (now,) = marked([result(after, finding(1), finding(2))], fingerprints(result(before, finding(1))), {})
    assert [one.new for one in now.findings] == [False, True]
    assert [one.line for one in blocking([now])] == [2]


def test_warnings_never_block() -> None:
    assert blocking([result(FileTree(), finding(0, level="warning"))]) == ()


def test_what_somebody_waived_does_not_block() -> None:
    (now,) = marked(
        [result(FileTree(), finding(0))], (), {fingerprinted([finding(0)], FileTree())[0].fingerprint: "Ann"}
    )
    assert [(one.new, one.waived, one.blocks) for one in now.findings] == [(True, "Ann", False)]
    assert blocking([now]) == ()
