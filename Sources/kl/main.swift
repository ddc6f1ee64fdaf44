import Glibc
import KilnCommands

exit(await KlProgram.run(Array(CommandLine.arguments.dropFirst()), in: .live()))
