"""The syllables that invented people and places are named with."""

from __future__ import annotations

SURNAMES = tuple(
    "王王王王李李李李张张张张刘刘刘陈陈杨杨赵赵黄周吴徐孙孙胡朱高高林何郭马罗梁宋宋郑谢韩唐冯于于董萧程曹袁邓许傅沈曾彭吕"
    "苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段钱汤尹黎易常武乔贺赖龚文"
)
MEN = tuple(
    "伟强磊军勇杰涛明超波辉刚健平东飞鹏建国华志海洋林峰宁龙斌亮成康文博宇浩然子轩俊豪嘉诚正德福贵振兴永庆长春玉山仁义"
)
WOMEN = tuple(
    "芳娜敏静丽娟艳霞秀英玲桂兰红梅燕莉萍雪云凤洁琳素珍慧巧美娥翠雅芝欣怡思雨梦佳诗涵晓彤春花菊香月荣爱琴淑惠瑞玉"
)

TOWN_FIRST = tuple("云金龙鹤凤青海石玉清明福泰和永安")
TOWN_SECOND = tuple("山河泉岭湾桥店阳溪滩城岛林台丰源")
VILLAGE_SIDES = ("东", "西", "南", "北", "前", "后", "大", "小", "上", "下", "中", "新")
VILLAGE_CLANS = tuple("王李张刘孙于姜宋高赵周吕韩邵徐苏")
VILLAGE_ENDINGS = (
    "家庄",
    "家村",
    "家疃",
    "家埠",
    "家泊",
    "家沟",
    "家屯",
    "家店",
    "戈庄",
    "家河",
    "家岭",
    "家夼",
)
COMMUNITY_FIRST = tuple("嘉锦瑞祥康宁惠民向阳春晖文昌兴隆同德延吉")
COMMUNITY_SECOND = ("园", "苑", "里", "桥", "湖", "台", "路", "林", "和", "安", "泰", "庆")

XIYUANZHUANG = "西元庄"
TONGJI = "通济新区"
