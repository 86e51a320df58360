"""What the demo says at its end."""
from dataclasses import dataclass
@dataclass
class Summary:
    pass
def summarise(): ...
