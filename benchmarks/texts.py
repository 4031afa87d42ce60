"""What the benchmarks let the voice speak: plain, mixed and long texts, and numbers."""

from __future__ import annotations

from glmtts_core.catalogue import Language

TEXTS: dict[str, tuple[Language, tuple[str, ...]]] = {
    "Mandarin, plain": (
        "zh",
        (
            "今天天气很好，我们一起去公园散步吧。",
            "请把窗户打开，让新鲜空气进来。",
            "他每天早上都会在湖边跑步。",
            "这本书讲的是一个关于友谊的故事。",
            "妈妈在厨房里做饭，香味飘满了整个屋子。",
            "我们明天上午在学校门口见面。",
            "孩子们在操场上高兴地踢足球。",
            "老师说学习语言需要多听多说。",
            "周末我想去图书馆借几本小说。",
            "奶奶昨天给我寄来一箱苹果。",
            "地铁里人太多了，我只好站着。",
            "他的声音很轻，大家都听不清楚。",
            "晚饭以后我们去河边散了散步。",
            "这家饭馆的豆腐做得特别好吃。",
            "外面下雨了，别忘了带上雨伞。",
            "她从小就喜欢唱歌和画画。",
            "我的手机没电了，能借用一下吗？",
            "火车马上就要开了，快上来吧！",
            "弟弟把杯子打碎了，不敢说话。",
            "你觉得哪一件衣服更适合我？",
            "山顶上的风很大，请小心一点。",
            "医生建议他少喝酒，多休息。",
            "花园里的玫瑰已经全部开放了。",
            "昨晚的电影让我想起了小时候。",
            "请问去火车站应该怎么走？",
            "他花了整整一年才写完这本书。",
            "我把钥匙忘在办公室的桌子上了。",
            "小猫躲在沙发下面不肯出来。",
            "这个问题比我想象的复杂得多。",
            "她每天坐公共汽车去上班。",
            "冬天的早晨，湖面上结了一层薄冰。",
            "爸爸答应暑假带我们去海边玩。",
            "邻居家的孩子考上了理想的大学。",
            "超市里的蔬菜又新鲜又便宜。",
            "你先休息一会儿，我去准备晚饭。",
            "这条小路一直通到山脚下的村庄。",
            "会议推迟了，大家可以先回家。",
            "他对历史和音乐都很感兴趣。",
            "谢谢你的帮助，我终于明白了。",
            "月亮从云层后面慢慢露了出来。",
        ),
    ),
    "English, plain": (
        "en",
        (
            "The weather is lovely today, let us take a walk in the park.",
            "Please open the window and let some fresh air in.",
            "He runs along the lake every morning before breakfast.",
            "This book tells a story about friendship and courage.",
            "The children are playing football on the school field.",
            "We will meet in front of the library tomorrow afternoon.",
            "My mother is cooking dinner in the kitchen.",
            "Learning a language takes patience and a lot of practice.",
            "I borrowed two novels from the library last weekend.",
            "Her grandmother sent us a big box of red apples.",
            "The train was so crowded that I had to stand.",
            "He spoke so softly that nobody could hear him.",
            "After dinner we took a slow walk along the river.",
            "The soup in this little restaurant tastes wonderful.",
            "It is raining outside, so take an umbrella with you.",
            "She has loved singing and painting since she was young.",
            "My phone has no power left, may I use yours?",
            "Hurry up, the bus is about to leave!",
            "My brother broke the glass and did not say a word.",
            "Which of these two jackets do you like better?",
            "The wind on top of the mountain was cold and strong.",
            "The doctor told him to drink less and sleep more.",
            "All the roses in the garden are in full bloom.",
            "That film reminded me of my childhood in the village.",
            "Could you tell me the way to the station?",
            "It took him a whole year to finish the book.",
            "I left my keys on the desk in my office.",
            "The cat is hiding under the sofa again.",
            "This question is much harder than I thought.",
            "She goes to work by bus every day.",
            "On winter mornings a thin layer of ice covers the lake.",
            "Dad promised to take us to the beach this summer.",
            "Our neighbour bought a new bicycle for his daughter.",
            "The vegetables at the market are fresh and cheap.",
            "Sit down and rest while I make us some tea.",
            "This narrow path leads to a farm behind the hill.",
            "The meeting was cancelled, so everyone went home early.",
            "He is interested in history, music and old maps.",
            "Thank you for your help, I finally understand it.",
            "The moon slowly came out from behind the clouds.",
        ),
    ),
    "mixed": (
        "zh",
        (
            "我们用Python写了一个网站。",
            "请打开Windows的设置，然后点击OK。",
            "我昨天在YouTube上看了一个很有趣的节目。",
            "他把PPT发到了我的邮箱里。",
            "这个App在iPhone上运行得很好。",
            "我想去Starbucks喝一杯咖啡。",
            "Google和Microsoft都是很大的公司。",
            "老师说：“Good morning, everyone!”然后开始上课。",
        ),
    ),
    "Mandarin, numbers": (
        "zh",
        (
            "会议在2024年3月5日下午3点半开始。",
            "这件衣服的价格是128元。",
            "今天的气温是25.5℃，湿度是60%。",
            "这条路长120km，开车需要2小时。",
            "他今年35岁，身高178cm。",
            "大约有1/3的人同意这个计划。",
            "我的电话号码是13812345678。",
            "这座城市有850万人口。",
        ),
    ),
    "English, numbers": (
        "en",
        (
            "The meeting starts on March 5th, 2024 at 3:30 pm.",
            "This jacket costs $45 and the shoes cost $60.",
            "The temperature is 25 degrees and the humidity is 60%.",
            "The road is 120 km long and the drive takes 2 hours.",
            "He is 35 years old and weighs 70 kg.",
            "More than 1,500 people live in this village.",
            "She was born in 1998 and moved here in 2015.",
            "The train has 12 cars and 640 seats.",
        ),
    ),
    "Mandarin, long": (
        "zh",
        (
            "春天来了，山上的雪慢慢融化，小河里的水也多了起来。村子里的人们开始忙着准备种地，"
            "孩子们脱下厚厚的棉衣，在田野里追着风筝跑来跑去。老人们坐在门口晒太阳，一边喝茶，"
            "一边谈论今年的收成。傍晚的时候，家家户户的屋顶上都升起了炊烟。",
            "很多人以为，学好一门外语最重要的是记住大量的单词，其实并不是这样。语言是用来交流的，"
            "只有在真实的对话里反复使用，才能真正掌握它。所以老师常常告诉我们，不要害怕说错，"
            "错误是学习过程中最好的朋友。每天坚持练习半个小时，一年以后就会有很大的进步。",
            "这座古老的城市有一千多年的历史，城墙和寺庙至今保存完好。每年秋天，来自世界各地的"
            "游客都会到这里参观。他们走在狭窄的街道上，品尝当地的小吃，欣赏传统的音乐和舞蹈，"
            "晚上还可以坐船游览河两岸的夜景",
            "昨天晚上我做了一个奇怪的梦。我梦见自己变成了一只小鸟，飞过高山和大海，来到一片"
            "美丽的森林。森林里的动物都会说话，它们邀请我参加一场盛大的晚会。",
            "为了保护环境，政府鼓励大家少开车，多坐地铁和公共汽车。商店不再免费提供塑料袋，"
            "学校里也开设了关于垃圾分类的课程。虽然刚开始有些不习惯，但是大家都觉得这是值得的。",
            "我的爷爷是一位医生，他在乡下工作了四十年。无论刮风下雨，只要有人生病，他都会背着"
            "药箱赶过去。村里的人都很尊敬他，过年的时候总有人送来自己家做的点心。",
        ),
    ),
    "English, long": (
        "en",
        (
            "Spring has come, and the snow on the mountains is slowly melting. The people of the "
            "village are busy getting the fields ready, while the children run across the meadows "
            "with their kites. In the evening, smoke rises from every chimney and the smell of "
            "fresh bread fills the narrow streets.",
            "Many people believe that the most important part of learning a language is to "
            "remember a large number of words. In truth, a language is made for talking. Only "
            "those who use it every day, and who are not afraid of making mistakes, will ever feel "
            "at home in it.",
            "The old city has a history of more than a thousand years, and its walls and temples "
            "are still standing. Every autumn visitors from all over the world walk through the "
            "streets, taste the local food, and listen to traditional music by the river.",
            "Last night I had a strange dream. I was a small bird, flying over the hills and the "
            "sea, until I came to a beautiful forest where all the animals could speak. They asked "
            "me to join them for a great party.",
            "To protect the environment, the government asks everyone to drive less and to take "
            "the train more often. Shops no longer give away plastic bags, and schools have begun "
            "to teach how to sort the rubbish. At first it felt strange, but it is worth the "
            "effort.",
            "My grandfather was a doctor who worked in the country for forty years. No matter how "
            "hard it rained, whenever somebody fell ill he would take his bag and go. Everyone in "
            "the village respected him, and at New Year people brought him home made cakes.",
        ),
    ),
}  # fmt: skip
