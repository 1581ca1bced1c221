import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from services.notifier.channels.mail.check import faults, preview, preview_names
from services.notifier.channels.mail.messages import words_of
from services.notifier.channels.mail.outreach import render_outreach
from services.notifier.channels.mail.samples import letter_variables
from services.notifier.channels.mail.sandbox import MAX_OUTPUT_BYTES
from services.notifier.channels.mail.smtp import MailSink, SmtpChannel
from services.notifier.channels.mail.templates import LETTERS, Templates
from services.notifier.domain.campaigns import CAMPAIGNS, Enrolment, variables
from services.notifier.outreach import Writer
from services.notifier.settings import NotifierSettings
from shared.access import NO_DATABASE
from shared.errors import UserError
from shared.events import LeadState, LeadType
from shared.outbound import OutboundPolicy
from shared.settings import load_settings
from tests.support.notifier_builders import alert

ENROLMENT = Enrolment(
    tenant_id="default",
    lead_id="lead-1",
    contact="it@customer.example",
    campaign="drip",
    round=0,
    started_at=datetime(2025, 10, 9, tzinfo=UTC),
    next_step=1,
    state_at_start=LeadState.NEW,
)
RENEWAL = letter_variables(LeadType.RENEWAL)
TYPES = [kind for kind in LeadType if kind.value != "unknown"]


class Folder:
    """A folder of templates that a test writes, and the templates it gives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: list[Templates] = []

    def holds(self, **files: str) -> Templates:
        for name, text in files.items():
            (self.path / f"{name.replace('__', '.')}.j2").write_text(text)
        self._opened.append(Templates(self.path))
        return self._opened[-1]

    def close(self) -> None:
        for templates in self._opened:
            templates.close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    found = Folder(tmp_path)
    yield found
    found.close()


def test_every_built_in_mail_can_be_made() -> None:
    templates = Templates()
    assert list(faults(templates)) == []
    assert len(preview_names()) == 22
    for name in preview_names():
        words = preview(templates, name)
        assert words.subject.strip()
        assert len(words.html) < 30_000, "Gmail shows a mail in full up to 102 kB"


def test_every_step_of_every_campaign_has_a_letter_for_every_lead_type() -> None:
    for campaign in CAMPAIGNS.values():
        for step in campaign.steps:
            for kind in TYPES if step.template else ():
                assert Templates().letter_name(str(step.template), kind.value)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_names_the_machine_its_serial_number_and_its_age(
    name: str, kind: LeadType
) -> None:
    lead = alert(lead_type=kind)
    known = {**variables(lead, "Ann"), "unsubscribe_url": "https://onelead.example/u/1"}
    subject, text, html = render_outreach(Templates(), name, known)
    assert lead.product in subject
    for part in (text, html):
        assert "USE3256NX0" in part
        assert "Ann" in part
        assert "https://onelead.example/u/1" in part
    assert ("10 years" in text) == (name == "first_outreach")


def test_a_letter_without_serial_number_dates_and_services_is_still_a_letter() -> None:
    lead = alert(serial_number=None, end_of_life=None, services=(), bundle=None)
    known = {**variables(lead, None), "unsubscribe_url": ""}
    for name in LETTERS:
        _, text, html = render_outreach(Templates(), name, known)
        assert "serial" not in text
        assert "year" not in text.replace("yearly", "")
        assert "Your account team" in text
        assert 'Answer "unsubscribe"' in text
        assert "<a " not in html


def test_a_file_replaces_the_built_in_template_of_its_name(folder: Folder) -> None:
    templates = folder.holds(first_outreach__renewal__txt="Subject: Hello {{ owner }}\n\nA & <b>\n")
    subject, text, html = render_outreach(templates, "first_outreach", RENEWAL)
    assert subject == "Hello Regula Meier"
    assert text.startswith("A & <b>\n\n-- \n")
    assert "A &amp; &lt;b&gt;" in html
    other = render_outreach(templates, "value", RENEWAL)
    assert other == render_outreach(Templates(), "value", RENEWAL)


def test_one_letter_may_serve_every_lead_type(folder: Folder) -> None:
    templates = folder.holds(first_outreach__txt="Subject: Hello\n\nDear {{ account }}\n")
    assert templates.letter_name("first_outreach", "renewal") == "first_outreach.renewal.txt.j2"
    assert templates.letter_name("first_outreach", "another") == "first_outreach.txt.j2"


def test_a_part_of_ones_own_can_be_included(folder: Folder) -> None:
    templates = folder.holds(
        notice__txt='{% include "_greeting.j2" %}{{ text }}', _greeting="Hello, "
    )
    assert preview(templates, "notice").text.startswith("Hello, It failed")


def test_a_file_that_replaces_nothing_is_refused_with_the_name_that_was_meant(
    folder: Folder,
) -> None:
    with pytest.raises(UserError) as caught:
        folder.holds(alrt__txt="x")
    assert str(folder.path / "alrt.txt.j2") in caught.value.message
    assert "did you mean alert.txt.j2?" in (caught.value.hint or "")


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        Templates(tmp_path / "nowhere")


MISTAKES = {
    "{{ text }}\n{{ nobody }}": ("line 2", "'nobody' is undefined"),
    "{{ text }}\n\n{% if %}": ("line 3", "Expected"),
    "{{ text.__class__ }}": ("line 1", "unsafe"),
    "{{ ''.__class__.__mro__[1].__subclasses__() }}": ("line 1", "unsafe"),
    "{{ self.__init__.__globals__ }}": ("line 1", "unsafe"),
    "{{ lead.title }}": ("line 1", "'lead' is undefined"),
    "{% include '../../etc/passwd' %}": ("line 1", "there is no template ../../etc/passwd"),
    "{% import 'os' as os %}": ("line 1", "there is no template os"),
    "{% set x = [] %}{{ x.append(1) }}": ("line 1", "unsafe"),
    "{{ 1 / 0 }}": ("line 1", "division by zero"),
    "{% include 'notice.txt.j2' %}": ("line 1", "recursion"),
    "{{ 'x' * 300000 }}": ("notice.txt.j2", f"more than {MAX_OUTPUT_BYTES // 1024} kB"),
    "{{ 'x' * 10**9 }}": ("line 1", "memory"),
    "{{ '%999999999d' % 1 }}": ("line 1", "memory"),
    "{{ 'x'.center(10**9) }}": ("line 1", "memory"),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_named_with_file_and_line(folder: Folder, text: str) -> None:
    templates = folder.holds(notice__txt=text)
    (fault,) = faults(templates)
    assert fault.startswith(str(folder.path / "notice.txt.j2"))
    for part in MISTAKES[text]:
        assert part in fault


ENDLESS = {
    "a loop in a loop": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "a power": "{{ (9 ** (9 ** 9)) % 7 }}",
    "a big sum": "{% set ns = namespace(x=2) %}{% for a in range(99999) %}"
    "{% set ns.x = ns.x * ns.x %}{% endfor %}",
    "a macro that calls itself twice": "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}"
    "{% endif %}{% endmacro %}{{ f(40) }}",
}


@pytest.mark.parametrize("what", ENDLESS)
def test_what_does_not_end_is_ended_and_not_tried_again(folder: Folder, what: str) -> None:
    templates = folder.holds(notice__txt=ENDLESS[what])
    for _ in range(3):
        with pytest.raises(UserError, match=r"notice\.txt\.j2.*took more than 1 s"):
            preview(templates, "notice")
    assert templates._out_of_limits.keys() == {"notice.txt.j2"}
    assert "Northwind" in preview(templates, "alert").text


def test_the_child_has_no_environment_and_no_files(folder: Folder) -> None:
    templates = folder.holds(notice__txt="{{ text }}")
    assert preview(templates, "notice").text.startswith("It failed")
    process = templates._child._process if templates._child else None
    assert process is not None
    assert Path(f"/proc/{process.pid}/environ").read_bytes() == b""
    limits = Path(f"/proc/{process.pid}/limits").read_text()
    assert " ".join(next(x for x in limits.splitlines() if "open files" in x).split()[3:5]) == "0 0"


def test_an_alert_is_told_in_the_built_in_words_when_the_own_ones_fail(folder: Folder) -> None:
    templates = folder.holds(alert__txt="{{ lead.nobody }}")
    words = words_of(alert(), templates)
    assert words == words_of(alert(), Templates())


@pytest.mark.parametrize("text", ["", " \n\t\n", "{# nothing #}", "{% if false %}x{% endif %}"])
def test_a_template_that_says_nothing_is_refused_and_the_built_in_one_speaks(
    folder: Folder, text: str
) -> None:
    templates = folder.holds(alert__txt=text)
    assert list(faults(templates)) == ["alert.txt.j2: the mail would be empty"]
    assert words_of(alert(), templates) == words_of(alert(), Templates())


def test_a_sink_whose_templates_fail_does_not_open(folder: Folder) -> None:
    folder.holds(alert__html="{{ lead.nobody }}")
    sink = MailSink(
        host="localhost",
        security="none",
        sender="a@b.example",
        recipients=("c@d.example",),
        templates=folder.path,
    )
    with pytest.raises(UserError, match=r"alert\.html\.j2, line 1: .*nobody"):
        SmtpChannel.open(sink, OutboundPolicy())


@pytest.mark.parametrize("text", ["Dear all", "Subject:\n\nx", "Subject: x", ""])
def test_a_letter_without_subject_or_text_is_refused(folder: Folder, text: str) -> None:
    templates = folder.holds(value__renewal__txt=text)
    with pytest.raises(UserError, match=r"value\.renewal\.txt\.j2, line 1: the letter must begin"):
        render_outreach(templates, "value", RENEWAL)


def test_a_letters_variables_cannot_break_its_lines_or_markup() -> None:
    evil = "x\r\n\r\nSubject: other\n- <b>"
    known = {
        **RENEWAL,
        "product": evil,
        "account": evil,
        "services": [evil],
        "unsubscribe_url": evil,
    }
    subject, text, html = render_outreach(Templates(), "first_outreach", known)
    assert subject == "Support for your x Subject: other - <b> has ended"
    assert text.count("\n\n") == render_outreach(Templates(), "first_outreach", RENEWAL)[1].count(
        "\n\n"
    )
    assert "<b>" not in html
    assert "<a " not in html


def test_the_event_loop_goes_on_while_a_letter_takes_its_time(folder: Folder) -> None:
    templates = folder.holds(value__renewal__txt=f"Subject: x\n\n{ENDLESS['a loop in a loop']}")
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def write() -> None:
        busy = asyncio.create_task(others())
        writer = Writer(partial(render_outreach, templates), lambda _tenant, _address: "")
        with pytest.raises(UserError, match="took more than 1 s"):
            await writer.write("value", ENROLMENT, alert())
        busy.cancel()

    asyncio.run(write())
    assert turns > 1_000


FILE = """
sinks:
  plain: {channel: email, host: localhost, security: none, sender: a@b.example, recipients: [c@d.example]}
  own: {channel: email, host: localhost, security: none, sender: a@b.example, outreach: true, templates: own}
"""


def test_a_sinks_templates_are_its_own_or_else_those_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "notify.yaml").write_text(FILE)
    needed = {
        "kafka_bootstrap": "",
        "database_url": NO_DATABASE,
        "templates_dir": tmp_path / "common",
    }
    by_file = load_settings(NotifierSettings, notify_file=tmp_path / "notify.yaml", **needed)
    mail = {"mail_host": "localhost", "mail_from": "a@b.example", "mail_to": "c@d.example"}
    sinks = {
        **by_file.notifications().sinks,
        **load_settings(NotifierSettings, **needed, **mail).notifications().sinks,
    }
    found = {name: sink.templates for name, sink in sinks.items() if isinstance(sink, MailSink)}
    common = tmp_path / "common"
    assert found == {"plain": common, "own": tmp_path / "own", "email": common}
