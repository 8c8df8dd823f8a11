# python: 3.11
# old: pillow==10.0.1
# new: pillow==11.0.0
import sys

from PIL import Image, ImageDraw, ImageFont

restored = "restored" in sys.argv
image = Image.new("L", (60, 20))
kw = {"font": ImageFont.load_default_imagefont()} if restored else {}
ImageDraw.Draw(image).text((1, 1), "abc", fill=255, **kw)
print(sum(image.getdata()))
