"""`python -m latentlab.probe` says whether WeasyPrint prints here: its last line is "prints", or "slow" without the
library that subsets fonts. Without Pango it fails, and without any font it may crash: hence a process of its own."""

import weasyprint
from weasyprint.text.ffi import harfbuzz_subset

weasyprint.HTML(string="<p>x").write_pdf()
print("prints" if harfbuzz_subset else "slow")
