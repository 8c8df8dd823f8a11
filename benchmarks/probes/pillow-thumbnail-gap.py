# python: 3.7
# old: pillow==6.2.2
# new: pillow==7.0.0
import io

from PIL import Image

image = Image.radial_gradient("L").resize((1500, 1500), Image.NEAREST).convert("RGB")
stream = io.BytesIO()
image.save(stream, "JPEG")
image = Image.open(io.BytesIO(stream.getvalue()))
image.thumbnail((40, 40), Image.BICUBIC)
print(sum(p[0] for p in image.getdata()))
