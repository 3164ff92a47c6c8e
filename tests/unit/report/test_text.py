from latentlab.report.text import extract_discussion, format_number, format_percent, strip_tags


def test_numbers_have_minus_signs_and_thin_spaces():
    assert format_number(-1234.56) == "−1\u202f234.6" and format_percent(0.256, 1) == "25.6\u202f%"


def test_the_discussion_is_all_between_its_tag_and_the_end_of_the_page():
    html = '<p>x</p><article class="columns" id="discussion"><p>a</p>\n<p>b</p></article><div id="end"></div>'
    assert extract_discussion(html) == "<p>a</p>\n<p>b</p></article>"
    assert strip_tags(extract_discussion(html)).split() == ["a", "b"]
