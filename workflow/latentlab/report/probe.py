"""`python -m latentlab.report.probe` tries whether WeasyPrint can print on this machine.

The last line of its output is "prints", or "slow" if the library that subsets fonts is missing. It fails without Pango
and may crash on a machine without any font, so it needs a process of its own.
"""

import weasyprint
from weasyprint.text.ffi import harfbuzz_subset

weasyprint.HTML(string="<p>x").write_pdf()
print("prints" if harfbuzz_subset else "slow")
