import pytest

from glmtts_core.text.sandhi import with_sandhi


@pytest.mark.parametrize(
    ("text", "lexical", "said"),
    [
        ("不是", "bu4 shi4", "bu2 shi4"),
        ("不好", "bu4 hao3", "bu4 hao3"),
        ("一个", "yi1 ge4", "yi2 ge4"),
        ("一定", "yi1 ding4", "yi2 ding4"),
        ("一起", "yi1 qi3", "yi4 qi3"),
        ("一天", "yi1 tian1", "yi4 tian1"),
        ("第一次", "di4 yi1 ci4", "di4 yi1 ci4"),
        ("二十一岁", "er4 shi2 yi1 sui4", "er4 shi2 yi1 sui4"),
        ("一月", "yi1 yue4", "yi1 yue4"),
        ("二零一九", "er4 ling2 yi1 jiu3", "er4 ling2 yi1 jiu3"),
        ("统一", "tong3 yi1", "tong3 yi1"),
        ("", "", ""),
    ],
)
def test_the_tones_of_yi_and_bu_follow_their_neighbours(text, lexical, said):
    assert with_sandhi(text, lexical.split()) == said.split()
