"""Development images of the NIPS 2017 competition: Kurakin et al., 2018, arXiv 1804.00097.

Labels are ImageNet's 1,000 classes from 0; the competition counts a background class before them.
"""

from purifold.data.table import Table

NIPS_2017 = Table(
    name="nips-2017",
    summary="photographs of ImageNet classes, up to 1,000 test images and no training part, RGB 299x299",
    shape=(3, 299, 299),
    classes=1000,
    train=None,
    defaults=None,
)
